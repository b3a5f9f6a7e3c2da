/** `npm run bench -- open`: opening in a browser beside typage and the age program. */
import { measure } from './format/measure.js'

await measure('open')
