/** `npm run bench -- seal`: sealing in a browser beside typage and the age program. */
import { measure } from './format/measure.js'

await measure('seal')
